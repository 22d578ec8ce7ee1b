import { stringify } from 'yaml';

/** An Indexed Job: one pod a shard. https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode */
export interface IndexedJob {
  readonly name: string;
  readonly image: string;
  readonly completions: number;
  readonly parallelism: number;
  /** The command of a pod, word by word; it learns its part from JOB_COMPLETION_INDEX. */
  readonly command: readonly string[];
  /** Files that each pod sees under /slipway/, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** The claim of the volume that all pods write their shard to, under /results. */
  readonly claim: string;
}

/** The manifest: the run file as a ConfigMap, and the Job. A pod that is killed starts again and goes on where it was. */
export function indexedJobManifest(job: IndexedJob): string {
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: job.name },
    data: job.files,
  };
  const container = {
    name: 'slipway',
    image: job.image,
    command: job.command,
    volumeMounts: [
      { name: 'question', mountPath: '/slipway', readOnly: true },
      { name: 'results', mountPath: '/results' },
    ],
  };
  const manifest = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: job.name },
    spec: {
      completionMode: 'Indexed',
      completions: job.completions,
      parallelism: job.parallelism,
      backoffLimit: 2 * job.completions,
      template: {
        spec: {
          restartPolicy: 'OnFailure',
          containers: [container],
          volumes: [
            { name: 'question', configMap: { name: job.name } },
            { name: 'results', persistentVolumeClaim: { claimName: job.claim } },
          ],
        },
      },
    },
  };
  return `${stringify(configMap)}---\n${stringify(manifest, { lineWidth: 0 })}`;
}
