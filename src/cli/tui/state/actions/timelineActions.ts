import { type RankPicture, type StepPicture, type StreamPicture, spanIndexAt } from '../../work/picture.js';
import { only, type TimelineView } from '../state.js';
import { type Action, type Actions, clamp } from './action.js';

/** The narrowest window: a millionth of the step still shows kernels of microseconds. */
const narrowest = 1e-6;

/** Rows of the timeline: one a rank, or one for every stream of every rank. */
export interface TimelineRow {
  readonly rank: number;
  readonly stream: number;
}

export function timelineRows(step: StepPicture, open: boolean): readonly TimelineRow[] {
  return step.ranks.flatMap((rank, index) =>
    open ? rank.streams.map((_, stream) => ({ rank: index, stream })) : [{ rank: index, stream: 0 }],
  );
}

export function selectedStream(step: StepPicture, view: TimelineView): StreamPicture | undefined {
  return rankOf(step, view)?.streams[view.stream];
}

function rankOf(step: StepPicture, { rank }: TimelineView): RankPicture | undefined {
  return step.ranks[clamp(rank, 0, step.ranks.length - 1)];
}

const inStep =
  (act: (view: TimelineView, step: StepPicture) => Partial<TimelineView>): Action =>
  (state) => {
    const step = state.simulation.result;
    if (step === undefined) return only(state);
    return only({ ...state, timeline: { ...state.timeline, ...act(state.timeline, step) } });
  };

export const timelineActions: Actions = {
  nextTask: inStep((view, step) => toSpan(view, step, view.span + 1)),
  previousTask: inStep((view, step) => toSpan(view, step, view.span - 1)),
  nextCritical: inStep((view, step) => {
    const critical = selectedStream(step, view)?.critical;
    const next = critical?.indexOf(1, view.span + 1) ?? -1;
    return next < 0 ? {} : toSpan(view, step, next);
  }),
  down: inStep((view, step) => toRow(view, step, 1)),
  up: inStep((view, step) => toRow(view, step, -1)),
  zoomIn: inStep((view, step) => zoomed(view, step, 0.5)),
  zoomOut: inStep((view, step) => zoomed(view, step, 2)),
  zoomAll: inStep(() => ({ from: 0, to: 1 })),
  panRight: inStep((view) => panned(view, 0.5)),
  panLeft: inStep((view) => panned(view, -0.5)),
  fold: inStep((view) => ({ open: !view.open, stream: 0, span: view.stream === 0 ? view.span : 0 })),
};

/** Selects a span and moves the window so that it can be seen. */
function toSpan(view: TimelineView, step: StepPicture, wanted: number): Partial<TimelineView> {
  const stream = selectedStream(step, view);
  if (stream === undefined || stream.starts.length === 0) return {};
  const span = clamp(wanted, 0, stream.starts.length - 1);
  const middle = middleOf(stream, span) / step.makespanSeconds;
  if (middle >= view.from && middle <= view.to) return { span };
  const width = view.to - view.from;
  const from = clamp(middle - width / 2, 0, 1 - width);
  return { span, from, to: from + width };
}

/** The row above or below, at the same moment. */
function toRow(view: TimelineView, step: StepPicture, direction: 1 | -1): Partial<TimelineView> {
  const rows = timelineRows(step, view.open);
  const at = rows.findIndex(({ rank, stream }) => rank === view.rank && stream === view.stream);
  const row = rows[clamp(at + direction, 0, rows.length - 1)];
  const stream = selectedStream(step, view);
  if (row === undefined) return {};
  const moment = stream === undefined ? 0 : middleOf(stream, view.span);
  const next = step.ranks[row.rank]?.streams[row.stream];
  return { ...row, span: next === undefined ? 0 : Math.max(0, spanIndexAt(next, moment)) };
}

/** About the selected task while it is in sight, else about the middle of the window. */
function zoomed(view: TimelineView, step: StepPicture, factor: number): Partial<TimelineView> {
  const stream = selectedStream(step, view);
  const width = clamp((view.to - view.from) * factor, narrowest, 1);
  const moment = stream === undefined ? 0.5 : middleOf(stream, view.span) / step.makespanSeconds;
  const centre = moment >= view.from && moment <= view.to ? moment : (view.from + view.to) / 2;
  const share = (centre - view.from) / (view.to - view.from);
  const from = clamp(centre - share * width, 0, 1 - width);
  return { from, to: from + width };
}

function panned(view: TimelineView, share: number): Partial<TimelineView> {
  const width = view.to - view.from;
  const from = clamp(view.from + share * width, 0, 1 - width);
  return { from, to: from + width };
}

function middleOf({ starts, ends }: StreamPicture, span: number): number {
  return ((starts[span] ?? 0) + (ends[span] ?? 0)) / 2;
}
