import { MeshoptDecoder } from 'meshoptimizer/decoder';
import type { WebGLRenderer } from 'three';
import { DRACOLoader } from 'three/addons/loaders/DRACOLoader.js';
import { type GLTF, GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { KTX2Loader } from 'three/addons/loaders/KTX2Loader.js';

/** Where the session host serves the decoders' files; they are fetched for an asset that needs them. */
const DECODERS = '/decoders/';

/**
 * Loads a GLB, compressed in whichever way the converter may have done it.
 * @throws Error with what is wrong with the asset
 */
export async function loadAsset(url: string, renderer: WebGLRenderer): Promise<GLTF> {
  const draco = new DRACOLoader().setDecoderPath(DECODERS);
  const ktx2 = new ApartKtx2Loader().setTranscoderPath(DECODERS).detectSupport(renderer);
  const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder).setDRACOLoader(draco).setKTX2Loader(ktx2);
  try {
    return await loader.loadAsync(url);
  } catch (error) {
    throw error instanceof Error ? error : new Error(messageOf(error), { cause: error });
  } finally {
    // Their workers keep the memory that the largest mesh and image took.
    draco.dispose();
    ktx2.dispose();
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
