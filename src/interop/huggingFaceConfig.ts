import { SlipwayError } from '../errors.js';
import type { ArchitectureInput } from '../model/architectureSchema.js';

/**
 * A config.json behind typed getters. Several keys may name one thing (`n_embd`, `hidden_size`); the first that is there
 * and not null counts.
 */
export class HuggingFaceConfig {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: unknown) {
    if (!isRecord(values)) {
      throw new SlipwayError('invalid-syntax', 'expected the object of a Hugging Face config.json');
    }
    this.#values = values;
  }

  /** A part of the configuration, such as the `text_config` of a multimodal model. */
  part(key: string): HuggingFaceConfig | undefined {
    const value = this.#values[key];
    return isRecord(value) ? new HuggingFaceConfig(value) : undefined;
  }

  required(...keys: string[]): number {
    const value = this.number(...keys);
    if (value === undefined) {
      throw new SlipwayError('unsupported', `config.json has no ${keys.join(' or ')}`, { key: keys[0] ?? '' });
    }
    return value;
  }

  number(...keys: string[]): number | undefined {
    return this.#typed(keys, 'a number', (value) => typeof value === 'number');
  }

  flag(key: string): boolean | undefined {
    return this.#typed([key], 'true or false', (value) => typeof value === 'boolean');
  }

  text(...keys: string[]): string | undefined {
    return this.#typed(keys, 'text', (value) => typeof value === 'string');
  }

  list(key: string): readonly unknown[] | undefined {
    return this.#typed([key], 'a list', (value) => Array.isArray(value));
  }

  #typed<T>(keys: readonly string[], what: string, is: (value: unknown) => value is T): T | undefined {
    const key = keys.find((name) => this.#values[name] !== undefined && this.#values[name] !== null);
    if (key === undefined) return undefined;
    const value = this.#values[key];
    if (is(value)) return value;
    throw new SlipwayError('unsupported', `${key} of config.json is not ${what}: ${JSON.stringify(value)}`, { key });
  }
}

/** Maps the activations of `transformers` to kinds that cost the same. */
export function activationOf(config: HuggingFaceConfig): NonNullable<ArchitectureInput['activation']> | undefined {
  const name = config.text('hidden_activation', 'hidden_act', 'activation_function', 'activation');
  if (name === undefined) return undefined;
  if (name === 'relu2') return 'squared-relu';
  if (name === 'relu') return 'relu';
  if (name === 'silu' || name === 'swish') return 'silu';
  if (name.startsWith('gelu')) return 'gelu';
  throw new SlipwayError('unsupported', `activation ${name} is not known; known are gelu, silu, relu and relu2`, {
    key: 'hidden_act',
  });
}

/**
 * Local attention of `size` tokens. `layer_types`, where there, says which layers see everything; otherwise every `every`-th
 * does (0: none). Only patterns that repeat can be written.
 */
export function windowOf(
  config: HuggingFaceConfig,
  size: number | undefined,
  every: number,
): ArchitectureInput['slidingWindow'] {
  if (size === undefined || size === 0) return null;
  const kinds = config.list('layer_types');
  if (kinds === undefined) return { size, fullAttentionEvery: every };
  const first = kinds.indexOf('full_attention');
  if (first === 0) return null;
  return { size, fullAttentionEvery: first + 1 };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
