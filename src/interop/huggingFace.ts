import { SlipwayError } from '../errors.js';
import { type ArchitectureInput, architectureInputSchema } from '../model/architectureSchema.js';
import { nearest } from '../quantity/nearest.js';
import { HuggingFaceConfig } from './huggingFaceConfig.js';
import { type Family, families } from './huggingFaceFamilies.js';

/** The architecture that a Hugging Face config.json describes. Of a multimodal model, the language model. */
export function architectureFromHuggingFace(config: unknown): ArchitectureInput {
  const whole = new HuggingFaceConfig(config);
  const modelType = whole.text('model_type');
  const family = familyOf(modelType);
  const language = whole.part('text_config') ?? whole;
  const name = whole.text('_name_or_path')?.split('/').at(-1) || modelType;
  return checked({ name, ...family(language) });
}

function familyOf(modelType: string | undefined): Family {
  const known = [...families.keys()];
  if (modelType === undefined) {
    throw new SlipwayError('unsupported', `config.json has no model_type; supported are ${known.join(', ')}`, {
      key: 'model_type',
    });
  }
  const family = families.get(modelType.toLowerCase());
  if (family !== undefined) return family;
  const suggestion = nearest(modelType, known);
  const wayOut =
    suggestion === undefined ? `supported are ${known.join(', ')}` : `the nearest supported is ${suggestion}`;
  throw new SlipwayError('unsupported', `model_type ${modelType} is not supported; ${wayOut}`, {
    key: 'model_type',
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** Numbers that do not close are the file's mistake, reported like any other. */
function checked(input: ArchitectureInput): ArchitectureInput {
  const present = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const result = architectureInputSchema.safeParse(present);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new SlipwayError('unsupported', `config.json does not close: ${issue?.message ?? 'unknown field'}`, {
    key: issue?.path.join('.') ?? '',
  });
}
