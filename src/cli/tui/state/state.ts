import type { Estimate } from '../../../index.js';
import type { Axis } from '../../../planner/sweep/axis.js';
import type { Answer, GoodAnswer } from '../scenario/answer.js';
import type { RunValue } from '../scenario/runValue.js';
import type { WhyNotQuestion } from '../work/answerWhyNot.js';
import type { GridResult } from '../work/grid.js';
import type { StepPicture } from '../work/picture.js';
import type { PlanRow, SearchProgress, WhyNotAnswer } from '../work/search.js';
import type { LineEdit } from './lineEdit.js';

export const tabs = ['overview', 'memory', 'timeline', 'plan', 'compare', 'whatif', 'run', 'presets'] as const;
export type TabId = (typeof tabs)[number];

export const tabTitles: Readonly<Record<TabId, string>> = {
  overview: 'Overview',
  memory: 'Memory',
  timeline: 'Timeline',
  plan: 'Plan',
  compare: 'Compare',
  whatif: 'What-if',
  run: 'Run',
  presets: 'Presets',
};

/** The run file that is being shaped, and every version of it since the start. */
export interface Document {
  readonly run: RunValue;
  /** Where it is saved; undefined until it is. */
  readonly file: string | undefined;
  /** The version that is in the file. */
  readonly saved: RunValue;
  /** Where relative paths in the run start. */
  readonly baseDirectory: string;
  readonly past: readonly RunValue[];
  readonly future: readonly RunValue[];
}

/** A scenario kept for comparison, with what the planner said of it. */
export interface Pin {
  readonly name: string;
  readonly run: RunValue;
  readonly estimate: Estimate;
  /** The estimate is the closed form's; a thread is at it. */
  readonly rough: boolean;
}

/** What an entry of a list of values says beside its name. */
export interface Choice {
  readonly value: unknown;
  readonly label: string;
  readonly facts: string;
  /** Why it cannot be taken now. */
  readonly refusal: string | undefined;
}

/** A why-not that is typed or being worked out. */
export type WhyNotWork = Work<WhyNotAnswer>;

export type FilterTarget = 'scenario' | 'presets' | 'plan';
export type PathPurpose = 'save' | 'open' | ExportKind;
export type ExportKind = 'run-yaml' | 'run-json' | 'estimate-json' | 'estimate-markdown' | 'trace' | 'svg';

/** Whatever lies over the tabs and takes the keys first. */
export type Prompt =
  | { readonly kind: 'edit'; readonly key: string; readonly line: LineEdit; readonly problem: string | undefined }
  | {
      readonly kind: 'choose';
      readonly key: string;
      readonly line: LineEdit;
      readonly selected: number;
      readonly choices: readonly Choice[];
    }
  | { readonly kind: 'command'; readonly line: LineEdit; readonly problem: string | undefined }
  | { readonly kind: 'whyNot'; readonly line: LineEdit; readonly problem: string | undefined }
  | { readonly kind: 'filter'; readonly target: FilterTarget; readonly line: LineEdit }
  | { readonly kind: 'path'; readonly purpose: PathPurpose; readonly line: LineEdit; readonly thenQuit: boolean }
  | { readonly kind: 'export'; readonly selected: number }
  | { readonly kind: 'overwrite'; readonly purpose: PathPurpose; readonly path: string; readonly thenQuit: boolean }
  | { readonly kind: 'quit' }
  | { readonly kind: 'help'; readonly first: number };

export interface Message {
  readonly text: string;
  readonly tone: 'good' | 'note' | 'bad';
}

/** Work that a thread does: for which question, how far it is, what it found. */
export interface Work<Result> {
  /** The question as one text; undefined before the first. */
  readonly asked: string | undefined;
  readonly running: boolean;
  readonly result: Result | undefined;
  /** What `result` answers; differs from `asked` while a newer question is being worked on. */
  readonly resultFor: string | undefined;
  readonly problem: string | undefined;
}

export interface TimelineView {
  /** Part of the step that is shown, 0..1. */
  readonly from: number;
  readonly to: number;
  readonly rank: number;
  readonly stream: number;
  /** Index of the selected span in its stream. */
  readonly span: number;
  /** Whether every rank shows all of its streams. */
  readonly open: boolean;
}

export type PlanSort = 'tokens' | 'memory' | 'risk' | 'tp' | 'pp' | 'dp';

export interface PlanView {
  readonly selected: number;
  readonly sort: PlanSort;
  /** From the other end. */
  readonly reversed: boolean;
  readonly picture: 'table' | 'scatter';
  readonly filter: string;
}

export type WhatIfMetric = 'tokens' | 'step' | 'mfu' | 'memory' | 'days' | 'cost';

export interface WhatIfView {
  readonly selected: number;
  /** One or two keys of the run file. */
  readonly keys: readonly string[];
  /** Axes that were typed, the last one first. */
  readonly typed: readonly Axis[];
  readonly metric: WhatIfMetric;
  /** Chosen point of the grid. */
  readonly point: number;
}

export type PresetTab = 'models' | 'clusters' | 'accelerators';

export interface PresetsView {
  readonly kind: PresetTab;
  readonly selected: number;
  readonly filter: string;
  /** First line of the preset's text. */
  readonly first: number;
}

export interface State {
  readonly size: { readonly columns: number; readonly rows: number };
  readonly document: Document;
  readonly answer: Answer;
  readonly lastGood: GoodAnswer | undefined;
  readonly focus: 'scenario' | 'view';
  readonly tab: TabId;
  /** Selected line of the scenario pane, among those that the filter leaves. */
  readonly field: number;
  readonly fieldFilter: string;
  /** Keys that a search leaves as they are. */
  readonly held: readonly string[];
  readonly advice: number;
  readonly memory: { readonly stage: number };
  readonly timeline: TimelineView;
  readonly plan: PlanView;
  readonly compare: { readonly selected: number };
  readonly whatif: WhatIfView;
  readonly presets: PresetsView;
  readonly pins: readonly Pin[];
  readonly prompt: Prompt | undefined;
  readonly message: Message | undefined;
  /** Questions whose exact figures have been asked for. */
  readonly refining: readonly string[];
  readonly simulation: Work<StepPicture>;
  readonly search: Work<readonly PlanRow[]> & { readonly progress: SearchProgress | undefined };
  readonly whyNot: WhyNotWork;
  readonly grid: Work<GridResult> & { readonly axes: readonly Axis[] };
}

/** What the reducer wants done outside; results come back as events. */
export type Effect =
  | {
      readonly do: 'estimate';
      readonly id: string;
      readonly run: RunValue;
      readonly baseDirectory: string;
      /** Of the present scenario, which may have changed again before anybody gets to it. */
      readonly passing: boolean;
    }
  | { readonly do: 'simulate'; readonly id: string; readonly run: RunValue; readonly baseDirectory: string }
  | {
      readonly do: 'search';
      readonly id: string;
      readonly run: RunValue;
      readonly held: readonly string[];
      readonly baseDirectory: string;
    }
  | ({ readonly do: 'whyNot'; readonly id: string } & WhyNotQuestion)
  | { readonly do: 'stopSearch' }
  | {
      readonly do: 'grid';
      readonly id: string;
      readonly run: RunValue;
      readonly axes: readonly Axis[];
      readonly baseDirectory: string;
    }
  | {
      readonly do: 'write';
      readonly purpose: PathPurpose;
      readonly path: string;
      readonly run: RunValue;
      readonly baseDirectory: string;
      /** False asks first where the file is there already. */
      readonly overwrite: boolean;
      readonly thenQuit: boolean;
    }
  | { readonly do: 'open'; readonly path: string }
  /** A run file that was pasted. */
  | { readonly do: 'read'; readonly text: string }
  | { readonly do: 'calculate'; readonly run: RunValue; readonly label: string }
  | { readonly do: 'copy'; readonly text: string }
  | { readonly do: 'suspend' }
  | { readonly do: 'quit' };

export type Event =
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  | { readonly kind: 'pasted'; readonly text: string }
  | { readonly kind: 'pastedRun'; readonly run: RunValue }
  | { readonly kind: 'resize'; readonly columns: number; readonly rows: number }
  | { readonly kind: 'estimated'; readonly id: string; readonly estimate?: Estimate; readonly problem?: string }
  | { readonly kind: 'simulated'; readonly id: string; readonly result?: StepPicture; readonly problem?: string }
  | {
      readonly kind: 'searching';
      readonly id: string;
      readonly rows?: readonly PlanRow[];
      readonly progress?: SearchProgress;
      readonly done?: boolean;
      readonly problem?: string;
    }
  | { readonly kind: 'answered'; readonly id: string; readonly result?: WhyNotAnswer; readonly problem?: string }
  | {
      readonly kind: 'gridded';
      readonly id: string;
      readonly result?: GridResult;
      readonly done?: boolean;
      readonly problem?: string;
    }
  | { readonly kind: 'saved'; readonly path: string; readonly run: RunValue }
  | { readonly kind: 'exists'; readonly purpose: PathPurpose; readonly path: string; readonly thenQuit: boolean }
  | { readonly kind: 'opened'; readonly path: string; readonly run: RunValue; readonly baseDirectory: string }
  | { readonly kind: 'calculated'; readonly run: RunValue }
  | { readonly kind: 'message'; readonly message: Message };

export interface Result {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export function only(state: State): Result {
  return { state, effects: [] };
}

export function saying(state: State, text: string, tone: Message['tone'] = 'note'): State {
  return { ...state, message: { text, tone } };
}
