/** What a person does about a pipeline that failed, by its reason. */
export function adviceOn(reason: string | null): string {
  switch (reason) {
    case 'missing_files':
      return 'Add the files that are named to the folder of the model, or give --model the folder that holds them all.';
    case 'input_refused':
      return 'Open the model in the tool that it came from and export it again as glTF 2.0; then validate it.';
    case 'limit':
      return 'Make the model smaller, or raise the setting that is named.';
    case 'conversion_failed':
      return 'The .result.json beside the outputs has all findings; mend the model, or report it with the model.';
    case 'capacity':
    case 'quota':
      return 'Wait until another session has ended, or raise MAX_SESSIONS (and LOCAL_MACHINE_CAPACITY).';
    case 'start_timeout':
    case 'host_lost':
    case 'provider_error':
      return 'Look into the logs under .local/machines, and try again.';
    default:
      return "Try again; the app's log has the cause.";
  }
}
