import type { ExportKind } from './state.js';

/** What can be exported, and the name that is proposed. */
export const exportForms: readonly { readonly kind: ExportKind; readonly title: string; readonly path: string }[] = [
  { kind: 'run-yaml', title: 'Run file, YAML', path: 'run.yaml' },
  { kind: 'run-json', title: 'Run file, JSON', path: 'run.json' },
  { kind: 'estimate-json', title: 'Estimate, JSON', path: 'estimate.json' },
  { kind: 'estimate-markdown', title: 'Estimate, Markdown', path: 'estimate.md' },
  { kind: 'trace', title: 'Simulated step, trace for Perfetto', path: 'step.json' },
  { kind: 'svg', title: 'Simulated step, SVG picture', path: 'step.svg' },
];
