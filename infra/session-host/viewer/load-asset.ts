import { MeshoptDecoder } from 'meshoptimizer/decoder';
import type { WebGLRenderer } from 'three';
import { DRACOLoader } from 'three/addons/loaders/DRACOLoader.js';
import { type GLTF, GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { KTX2Loader } from 'three/addons/loaders/KTX2Loader.js';

/** Where the session host serves the decoders' files; they are fetched for an asset that needs them. */
const DECODERS = '/decoders/';

/** A decoder whose worker cannot start never says so: without a byte of the asset, or its end, for so long it is given up. */
const PATIENCE_SECONDS = 60;
/** More of it for each byte there is to decode: the slowest computers decode half a megabyte in a second. */
const PATIENCE_SECONDS_PER_BYTE = 2e-6;

/**
 * Loads a GLB, compressed in whichever way the converter may have done it.
 * @throws Error with what is wrong with the asset, or that it took too long
 */
export async function loadAsset(url: string, renderer: WebGLRenderer): Promise<GLTF> {
  const draco = new DRACOLoader().setDecoderPath(DECODERS);
  const ktx2 = new ApartKtx2Loader().setTranscoderPath(DECODERS).detectSupport(renderer);
  const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder).setDRACOLoader(draco).setKTX2Loader(ktx2);
  try {
    return await patiently((progress) => loader.loadAsync(url, ({ loaded }) => progress(loaded)));
  } catch (error) {
    throw error instanceof Error ? error : new Error(messageOf(error), { cause: error });
  } finally {
    // Their workers keep the memory that the largest mesh and image took.
    draco.dispose();
    ktx2.dispose();
  }
}

/** Waits for a load that says how many bytes have arrived, as long as a load of so many may take after the last of them. */
async function patiently<T>(load: (progress: (bytes: number) => void) => Promise<T>): Promise<T> {
  let [seconds, patience] = [0, PATIENCE_SECONDS];
  const { promise: tooLong, reject } = Promise.withResolvers<never>();
  // Seconds that pass while the page itself is at work do not count: its own part ends.
  const clock = setInterval(() => {
    seconds += 1;
    if (seconds < patience) return;
    reject(new Error(`it was not decoded in ${seconds} s. Its decoder may not have started: load the page again.`));
  }, 1000);
  const progress = (bytes: number) => {
    seconds = 0;
    patience = Math.ceil(PATIENCE_SECONDS + bytes * PATIENCE_SECONDS_PER_BYTE);
  };
  try {
    return await Promise.race([load(progress), tooLong]);
  } finally {
    clearInterval(clock);
  }
}

/** Its decoder writes functions at run time: it may do so in a worker with a policy of its own, not under the page's. */
class ApartKtx2Loader extends KTX2Loader {
  override async init(): Promise<void> {
    await super.init();
    this.workerPool.setWorkerCreator(() => {
      const worker = new Worker(`/basis-worker.js#${this.workerSourceURL}`);
      const transcoderBinary = this.transcoderBinary?.slice();
      worker.postMessage({ type: 'init', config: this.workerConfig, transcoderBinary });
      return worker;
    });
  }
}

/** DRACOLoader throws the message that its worker sent. */
function messageOf(thrown: unknown): string {
  const isMessage = typeof thrown === 'object' && thrown !== null && 'error' in thrown;
  return String(isMessage ? thrown.error : thrown);
}
