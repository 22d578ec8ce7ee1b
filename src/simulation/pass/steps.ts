/** Streams of the traffic inside a layer. */
export const trafficStreams = ['tensor', 'context', 'expert'] as const;
export type TrafficStream = (typeof trafficStreams)[number];

/** What a rank does in a layer, one thing after the other, with the traffic that it waits for or that runs beside it. */
export type Step = ComputeStep | ExchangeStep | BesideStep;

export interface ComputeStep {
  readonly kind: 'compute';
  readonly name: string;
  readonly seconds: number;
}

/** Traffic that starts when all before is done, and that all after waits for. */
export interface ExchangeStep {
  readonly kind: 'exchange';
  readonly name: string;
  readonly stream: TrafficStream;
  readonly seconds: number;
}

/**
 * Traffic beside a kernel. `whole`: both start together, and what follows waits for both. In pieces, the kernel is cut as well: with
 * `gather` each piece of it waits for a piece of the traffic, with `scatter` the other way round (user buffers of Transformer Engine).
 */
export interface BesideStep {
  readonly kind: 'beside';
  readonly how: 'whole' | 'gather' | 'scatter';
  readonly pieces: number;
  readonly name: string;
  readonly stream: TrafficStream;
  readonly seconds: number;
  readonly kernel: string;
  readonly kernelSeconds: number;
  /** As many of it, one after the other; for `whole` only, 1 where not given. A ring over 1,024 ranks is one step. */
  readonly times?: number;
}

/** A pass through one layer. */
export interface LayerPass {
  readonly steps: readonly Step[];
  /** Token exchange of another micro-batch that runs beside the whole layer, from its start; 0 for none. */
  readonly besideSeconds: number;
  readonly profile: PassProfile;
}

/**
 * Where the time of a pass goes, in seconds alone: kernels that nothing slows, of these with whole tensor-parallel collectives beside them; by
 * stream, kernels that its traffic slows, which take `contention` times as long, and the time that kernels wait for it.
 */
export interface PassProfile {
  readonly freeSeconds: number;
  readonly tensorBesideSeconds: number;
  readonly tensorSlowedSeconds: number;
  readonly tensorIdleSeconds: number;
  readonly contextSlowedSeconds: number;
  readonly contextIdleSeconds: number;
  readonly expertSlowedSeconds: number;
  readonly expertIdleSeconds: number;
}

export const nothing: PassProfile = {
  freeSeconds: 0,
  tensorBesideSeconds: 0,
  tensorSlowedSeconds: 0,
  tensorIdleSeconds: 0,
  contextSlowedSeconds: 0,
  contextIdleSeconds: 0,
  expertSlowedSeconds: 0,
  expertIdleSeconds: 0,
};

export function kernelsOf(profile: PassProfile): number {
  return profile.freeSeconds + slowedSeconds(profile);
}

function slowedSeconds({ tensorSlowedSeconds, contextSlowedSeconds, expertSlowedSeconds }: PassProfile): number {
  return tensorSlowedSeconds + contextSlowedSeconds + expertSlowedSeconds;
}

/** Kernels and nothing else. */
export function isPlain(profile: PassProfile): boolean {
  const { tensorBesideSeconds, tensorIdleSeconds, contextIdleSeconds, expertIdleSeconds } = profile;
  const traffic = tensorBesideSeconds + tensorIdleSeconds + contextIdleSeconds + expertIdleSeconds;
  return traffic === 0 && slowedSeconds(profile) === 0;
}

/** What traffic adds to the kernels, by stream: the waiting and the slowing. */
export function exposedOf(profile: PassProfile, contention: number): Record<TrafficStream, number> {
  return {
    tensor: profile.tensorIdleSeconds + profile.tensorSlowedSeconds * (contention - 1),
    context: profile.contextIdleSeconds + profile.contextSlowedSeconds * (contention - 1),
    expert: profile.expertIdleSeconds + profile.expertSlowedSeconds * (contention - 1),
  };
}

/** Kernels and the traffic that shows. */
export function profileSeconds(profile: PassProfile, contention: number): number {
  const { tensor, context, expert } = exposedOf(profile, contention);
  return kernelsOf(profile) + tensor + context + expert;
}

/** `a + times x b`. */
export function addProfile(a: PassProfile, b: PassProfile, times: number): PassProfile {
  return {
    freeSeconds: a.freeSeconds + times * b.freeSeconds,
    tensorBesideSeconds: a.tensorBesideSeconds + times * b.tensorBesideSeconds,
    tensorSlowedSeconds: a.tensorSlowedSeconds + times * b.tensorSlowedSeconds,
    tensorIdleSeconds: a.tensorIdleSeconds + times * b.tensorIdleSeconds,
    contextSlowedSeconds: a.contextSlowedSeconds + times * b.contextSlowedSeconds,
    contextIdleSeconds: a.contextIdleSeconds + times * b.contextIdleSeconds,
    expertSlowedSeconds: a.expertSlowedSeconds + times * b.expertSlowedSeconds,
    expertIdleSeconds: a.expertIdleSeconds + times * b.expertIdleSeconds,
  };
}

/** The pass of a layer with its profile: exactly what the event simulation makes of the same steps (`passGraph`), by test. */
export function layerPass(steps: readonly Step[], besideSeconds: number): LayerPass {
  const sum = new ProfileSum(besideSeconds);
  for (const step of steps) sum.add(step);
  return { steps, besideSeconds, profile: sum.done() };
}

/** A pass of kernels alone, whose steps are written when asked for. */
export function plainPass(seconds: number, write: () => readonly Step[]): LayerPass {
  let steps: readonly Step[] | undefined;
  return {
    get steps(): readonly Step[] {
      steps ??= write();
      return steps;
    },
    besideSeconds: 0,
    profile: { ...nothing, freeSeconds: seconds },
  };
}

class ProfileSum {
  private free = 0;
  private besideTensor = 0;
  private readonly slow = { tensor: 0, context: 0, expert: 0 };
  private readonly idle = { tensor: 0, context: 0, expert: 0 };

  /** `beside`: what is left of the traffic beside the whole layer. */
  constructor(private beside: number) {}

  add(step: Step): void {
    if (step.kind === 'compute') this.compute(step.seconds);
    else if (step.kind === 'exchange') this.wait(step.seconds, step.stream);
    else this.together(step);
  }

  /**
   * Of traffic beside a kernel, `hidden` seconds are, and slow the kernel. Cut in n pieces, 1/n of either has nothing beside it, and the
   * traffic never waits for the kernel's other pieces: all that hides does so at once, or piece by piece where it is the longer one.
   */
  private together({ how, pieces, seconds, kernelSeconds, stream, times = 1 }: BesideStep): void {
    const n = how === 'whole' ? times : pieces - 1;
    const [traffic, kernel] = how === 'whole' ? [seconds, kernelSeconds] : [seconds / pieces, kernelSeconds / pieces];
    const hidden = Math.min(traffic, kernel);
    if (how === 'gather') this.wait(traffic, stream);
    if (how === 'scatter') this.compute(kernel);
    // The longer of the two runs without a break, unless its pieces wait for those of the other: then they take turns.
    const turns = how === 'gather' ? traffic > kernel : how === 'whole' || traffic < kernel;
    const rounds = this.beside > 0 && turns ? n : 1;
    for (let i = 0; i < rounds; i++) {
      this.overlapped((n / rounds) * hidden, stream, how);
      this.wait((n / rounds) * (traffic - hidden), stream);
      this.compute((n / rounds) * (kernel - hidden));
    }
    if (how === 'gather') this.compute(kernel);
    if (how === 'scatter') this.wait(traffic, stream);
  }

  /** Returns what of it nothing slows. */
  private compute(seconds: number): number {
    const slowed = Math.min(seconds, this.beside);
    this.beside -= slowed;
    this.slow.expert += slowed;
    this.free += seconds - slowed;
    return seconds - slowed;
  }

  /** A kernel with traffic beside it; whole tensor-parallel collectives slow nothing (`runGraph`). */
  private overlapped(seconds: number, stream: TrafficStream, how: BesideStep['how']): void {
    if (stream === 'tensor' && how === 'whole') {
      this.besideTensor += this.compute(seconds);
      return;
    }
    this.beside -= Math.min(seconds, this.beside);
    this.slow[stream] += seconds;
  }

  private wait(seconds: number, stream: TrafficStream): void {
    this.beside -= Math.min(seconds, this.beside);
    this.idle[stream] += seconds;
  }

  done(): PassProfile {
    const { slow, idle } = this;
    return {
      freeSeconds: this.free,
      tensorBesideSeconds: this.besideTensor,
      tensorSlowedSeconds: slow.tensor,
      tensorIdleSeconds: idle.tensor,
      contextSlowedSeconds: slow.context,
      contextIdleSeconds: idle.context,
      expertSlowedSeconds: slow.expert,
      expertIdleSeconds: idle.expert + this.beside,
    };
  }
}
