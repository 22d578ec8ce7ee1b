/**
 * Slipway as a library: pure functions and plain data. Reading files and presets is in `loadScenario` and
 * `resolveScenario`; everything else computes.
 */
export { type ErrorCode, type ErrorPlace, type Infeasibility, SlipwayError } from './errors.js';
export type { Accelerator } from './hardware/accelerator.js';
export type { Cluster } from './hardware/cluster.js';
export { architectureFromHuggingFace } from './interop/huggingFace.js';
export type { Architecture } from './model/architecture.js';
export { type ArchitectureInput, resolveArchitecture } from './model/architectureSchema.js';
export { type FlopsConvention, modelFlops } from './model/flops.js';
export { countParameters } from './model/parameters.js';
export type { Framework } from './parallelism/framework.js';
export type { Strategy } from './parallelism/strategy.js';
export { type Comparison, compareEstimates, type NamedEstimate } from './planner/compare/compareEstimates.js';
export { explainGap, type GapReport, type Measured } from './planner/compare/explainGap.js';
export { memoryWaterfall, stepWaterfall, type Waterfall, type WaterfallTerm } from './planner/compare/waterfall.js';
export { type EstimateOptions, estimate } from './planner/estimate.js';
export type { Advice, Estimate, Throughput, Warning } from './planner/estimateResult.js';
export { type DeadEnd, deadEnd } from './planner/search/deadEnd.js';
export { parseFix } from './planner/search/parseFix.js';
export type { PlanDocument } from './planner/search/planDocument.js';
export { planEstimates, planScenario } from './planner/search/planEstimate.js';
export { type Remedy, remedies } from './planner/search/remedies.js';
export type {
  Evaluator,
  Fixed,
  NearestMiss,
  Plan,
  PlanProgress,
  PlanRequest,
  PlanResult,
  RejectedByReason,
} from './planner/search/request.js';
export { planSearch } from './planner/search/search.js';
export { smallestCluster } from './planner/search/smallestCluster.js';
export { type WhyNot, whyNot } from './planner/search/whyNot.js';
export { type Sensitivity, type SensitivityOptions, sensitivity } from './planner/sensitivity/sensitivity.js';
export type { Axis } from './planner/sweep/axis.js';
export type { SweepMethod } from './planner/sweep/definition.js';
export { parseAxis } from './planner/sweep/parseAxis.js';
export { parseShard, type Shard } from './planner/sweep/shard.js';
export { type SweepInput, type SweepOptions, type SweepRow, sweep } from './planner/sweep/sweep.js';
export { parseQuantity } from './quantity/parseQuantity.js';
export type { Dimension } from './quantity/units.js';
export { chromeTrace } from './report/chromeTrace.js';
export { estimateTable } from './report/estimateTable.js';
export { type SvgOptions, timelineSvg } from './report/timelineSvg.js';
export { loadAccelerator, loadCluster } from './scenario/loadHardware.js';
export { loadModel } from './scenario/loadModel.js';
export { loadPresets } from './scenario/loadPresets.js';
export { loadScenario } from './scenario/loadScenario.js';
export { checkRunFile, parseRunFile } from './scenario/parseRunFile.js';
export { listPresets, type PresetFile, type PresetKind, readPreset } from './scenario/presetFiles.js';
export { resolveScenario } from './scenario/resolveScenario.js';
export { type RunFile, type RunFileInput, runFileSchema } from './scenario/runFileSchema.js';
export type { Scenario } from './scenario/scenario.js';
export { evaluate } from './simulation/closedForm.js';
export { type CriticalPath, criticalPath } from './simulation/criticalPath.js';
export { evaluateStep } from './simulation/evaluateStep.js';
export type { Evaluation, StageMemory, StepBreakdown } from './simulation/evaluation.js';
export type { Perturbation } from './simulation/perturbation.js';
export { type SimulatedStep, type SimulateOptions, simulateStep } from './simulation/simulate.js';
export type { TrainingEstimate } from './training/run.js';
