import { readPreset } from '../../../scenario/presetFiles.js';
import { candidatesOf } from '../scenario/candidates.js';
import type { Field } from '../scenario/fields.js';
import { presetFacts } from '../scenario/presetFacts.js';
import { type StepContext, whyNot } from '../scenario/step.js';
import type { Choice, Prompt, State } from './state.js';

/** The values of a field to choose from, with what they are and why they cannot be taken; none for fields that are typed. */
export function choicesOf(field: Field, state: State): readonly Choice[] {
  if (field.kind === 'preset') return presetChoices(field.key === 'model' ? 'models' : 'clusters');
  if (field.kind !== 'choice' && field.kind !== 'boolean') return [];
  const context = stepContext(state);
  return candidatesOf(field, undefined).map((value) => ({
    value,
    label: typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value),
    facts: '',
    refusal: whyNot(field, value, context),
  }));
}

/** Entries whose name or facts hold every word of what was typed; those whose name does come first. */
export function matching(prompt: Extract<Prompt, { kind: 'choose' }>): readonly Choice[] {
  const words = prompt.line.text.toLowerCase().split(' ').filter(Boolean);
  const has = (text: string): boolean => words.every((word) => text.toLowerCase().includes(word));
  const found = prompt.choices.filter(({ label, facts }) => has(`${label} ${facts}`));
  return [...found.filter(({ label }) => has(label)), ...found.filter(({ label }) => !has(label))];
}

export function stepContext({ document, answer, lastGood }: State): StepContext {
  return { run: document.run, answer, lastGood, baseDirectory: document.baseDirectory };
}

function presetChoices(kind: 'models' | 'clusters'): readonly Choice[] {
  return candidatesOf({ kind: 'preset', key: kind === 'models' ? 'model' : 'cluster' } as Field, undefined).map(
    (id) => ({
      value: id,
      label: String(id),
      facts: presetFacts(kind, readPreset(kind, String(id))),
      refusal: undefined,
    }),
  );
}
