import { MeshoptDecoder } from 'meshoptimizer/decoder';
import {
  AnimationMixer,
  Box3,
  Clock,
  Mesh,
  NeutralToneMapping,
  type Object3D,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  Sphere,
  Texture,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { RoomEnvironment } from 'three/addons/environments/RoomEnvironment.js';
import { type GLTF, GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';

/** Where the viewer looks from when it frames an asset: the front, a little from the right and above. */
const VIEW_DIRECTION = new Vector3(0.75, 0.45, 1).normalize();

/** The canvas with one asset in it. Draws only when something has changed: an idle viewer costs nothing. */
export class Stage {
  readonly #renderer: WebGLRenderer;
  readonly #scene = new Scene();
  readonly #camera = new PerspectiveCamera(35);
  readonly #controls: OrbitControls;
  readonly #clock = new Clock();
  #asset: Object3D | undefined;
  #mixer: AnimationMixer | undefined;
  #changed = true;

  /** @throws Error where the browser has no WebGL 2 */
  constructor(canvas: HTMLCanvasElement) {
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.#renderer.toneMapping = NeutralToneMapping;
    const environment = new RoomEnvironment();
    const generator = new PMREMGenerator(this.#renderer);
    this.#scene.environment = generator.fromScene(environment, 0.04).texture;
    environment.dispose();
    generator.dispose();
    this.#controls = new OrbitControls(this.#camera, canvas);
    this.#controls.enableDamping = true;
    this.#controls.addEventListener('change', () => this.#touch());
    canvas.addEventListener('dblclick', () => this.#frame());
    new ResizeObserver(() => this.#fit(canvas)).observe(canvas);
    this.#renderer.setAnimationLoop(() => this.#draw());
  }

  /** Shows the asset in place of the one before it. @returns its triangles, as they are drawn */
  async show(url: string): Promise<number> {
    const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder);
    const gltf = await loader.loadAsync(url);
    this.clear();
    this.#asset = gltf.scene;
    this.#scene.add(gltf.scene);
    this.#mixer = playFirstAnimation(gltf);
    this.#frame();
    return countTriangles(gltf.scene);
  }

  clear(): void {
    if (this.#asset === undefined) return;
    this.#scene.remove(this.#asset);
    this.#asset.traverse(dispose);
    this.#asset = undefined;
    this.#mixer = undefined;
    this.#touch();
  }

  /** Puts the camera where the whole asset fills the view. */
  #frame(): void {
    if (this.#asset === undefined) return;
    const sphere = new Box3().setFromObject(this.#asset, true).getBoundingSphere(new Sphere());
    const radius = sphere.radius > 0 ? sphere.radius : 1;
    const halfHeight = (this.#camera.fov * Math.PI) / 360;
    const halfAngle = Math.min(halfHeight, Math.atan(Math.tan(halfHeight) * this.#camera.aspect));
    const distance = (radius / Math.sin(halfAngle)) * 1.08;
    this.#camera.position.copy(sphere.center).addScaledVector(VIEW_DIRECTION, distance);
    this.#camera.near = distance / 1000;
    this.#camera.far = distance * 100;
    this.#camera.updateProjectionMatrix();
    this.#controls.target.copy(sphere.center);
    this.#controls.minDistance = radius / 20;
    this.#controls.maxDistance = distance * 10;
    this.#controls.update();
    this.#touch();
  }

  #fit(canvas: HTMLCanvasElement): void {
    const { clientWidth, clientHeight } = canvas;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.#renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
    this.#renderer.setSize(clientWidth, clientHeight, false);
    this.#camera.aspect = clientWidth / clientHeight;
    this.#camera.updateProjectionMatrix();
    this.#touch();
  }

  #draw(): void {
    this.#controls.update();
    const elapsed = this.#clock.getDelta();
    this.#mixer?.update(elapsed);
    if (!this.#changed && this.#mixer === undefined) return;
    this.#changed = false;
    this.#renderer.render(this.#scene, this.#camera);
  }

  #touch(): void {
    this.#changed = true;
  }
}

function playFirstAnimation({ scene, animations }: GLTF): AnimationMixer | undefined {
  const [first] = animations;
  if (first === undefined) return undefined;
  const mixer = new AnimationMixer(scene);
  mixer.clipAction(first).play();
  return mixer;
}

function countTriangles(asset: Object3D): number {
  let triangles = 0;
  asset.traverse((object) => {
    if (!(object instanceof Mesh)) return;
    const { index, attributes } = object.geometry;
    const vertices = index?.count ?? attributes['position']?.count ?? 0;
    const instances = 'count' in object && typeof object.count === 'number' ? object.count : 1;
    triangles += (vertices / 3) * instances;
  });
  return Math.floor(triangles);
}

function dispose(object: Object3D): void {
  if (!(object instanceof Mesh)) return;
  object.geometry.dispose();
  for (const material of Array.isArray(object.material) ? object.material : [object.material]) {
    for (const value of Object.values(material)) if (value instanceof Texture) value.dispose();
    material.dispose();
  }
}
