import { registerProcess } from '#lib/durable';
import { ACCOUNT } from '#lib/records';
import { nextConversionStep, runConversion } from '#lib/rendering';
import { servicesWith } from './services.ts';

/** The orchestrator `runConversion` and its one activity: model in, GLB, info and result out. */
registerProcess({
  kind: 'conversion',
  account: ACCOUNT,
  services: servicesWith,
  async next({ conversions }, id) {
    const record = await conversions.read(id);
    return record && nextConversionStep(record);
  },
  steps: { conversionRun: runConversion },
});
