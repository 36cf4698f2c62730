/** What a person does about a pipeline that failed, by its reason; `log` is where the stack's own words are. */
export function adviceOn(reason: string | null, log: string): string {
  switch (reason) {
    case 'missing_files':
      return 'Add the files that are named to the folder of the model, or give --model the folder that holds them all.';
    case 'input_refused':
      return 'Open the model in the tool that it came from and export it again as glTF 2.0; then validate it.';
    case 'limit':
      return 'Make the model smaller, or raise the setting that is named.';
    case 'conversion_failed':
      return `Mend what is named in the model. If nothing is wrong there, report it with the model and ${log}.`;
    case 'capacity':
    case 'quota':
      return 'Wait until another session has ended, or raise MAX_SESSIONS (and LOCAL_MACHINE_CAPACITY).';
    default:
      return `Try again; ${log} has what the stack said.`;
  }
}
