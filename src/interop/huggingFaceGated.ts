import { type ErrorPlace, SlipwayError } from '../errors.js';
import type { ArchitectureInput } from '../model/architectureSchema.js';
import { activationOf, type HuggingFaceConfig } from './huggingFaceConfig.js';

/** What every LLaMA-shaped config.json says under the same keys. */
export function gated(config: HuggingFaceConfig): ArchitectureInput {
  return {
    numLayers: config.required('num_hidden_layers'),
    hiddenSize: config.required('hidden_size'),
    numAttentionHeads: config.number('num_attention_heads'),
    numKeyValueHeads: config.number('num_key_value_heads'),
    headDim: config.number('head_dim'),
    intermediateSize: config.required('intermediate_size'),
    vocabSize: config.number('vocab_size'),
    gatedMlp: true,
    activation: activationOf(config),
    tiedEmbeddings: config.flag('tie_word_embeddings') ?? false,
    dropout: config.number('hidden_dropout', 'resid_pdrop') ?? 0,
  };
}

/** Says plainly what an architecture has that this model of it cannot express. */
export function needs(condition: boolean, what: string, place: ErrorPlace): void {
  if (!condition)
    throw new SlipwayError(
      'unsupported',
      `${place.key ?? 'config.json'} asks for ${what}, which is not modelled`,
      place,
    );
}
