/** Images that are not read, by how they begin, from an offset on. */
const beginnings: readonly (readonly [at: number, begin: string, name: string])[] = [
  [0, 'v/1\x01', 'an OpenEXR image'],
  [0, '#?RADIANCE', 'a Radiance HDR image'],
  [0, '#?RGBE', 'a Radiance HDR image'],
  [0, '\0\0\0\x0cjP  ', 'a JPEG 2000'],
  [0, '\xff\x4f\xff\x51', 'a JPEG 2000'],
  [0, '\0\0\0\x0cJXL ', 'a JPEG XL'],
  [0, '\xff\x0a', 'a JPEG XL'],
  [0, 'II\xbc\x01', 'a JPEG XR'],
  [4, 'ftyphei', 'an HEIC image'],
  [4, 'ftypmif1', 'an HEIC image'],
  [0, '\0\0\x01\0', 'an icon (ICO)'],
  [0, '\xabKTX 11\xbb', 'a KTX of version 1'],
  [0, 'PVR\x03', 'a PVR texture'],
  [44, 'PVR!', 'a PVR texture'],
  [0, 'Hx', 'a Crunch texture (CRN)'],
  [0, 'sB', 'a Basis Universal texture without KTX2'],
  [0, '\x13\xab\xa1\\', 'an ASTC texture'],
  [0, 'gimp xcf', 'a GIMP image (XCF)'],
  [0, '\x0a\x02\x01', 'a PCX'],
  [0, '\x0a\x03\x01', 'a PCX'],
  [0, '\x0a\x05\x01', 'a PCX'],
  [0, '\x01\xda', 'an SGI image'],
  [8, 'ILBM', 'an IFF image'],
  [8, 'PBM ', 'an IFF image'],
  [8, 'CIMG', 'a Maya IFF image'],
  [0, '\x59\xa6\x6a\x95', 'a Sun raster image'],
  [0, '%PDF', 'a PDF'],
  [0, '%!PS', 'a PostScript file'],
  [0, '/* XPM', 'an XPM'],
];

/** What a file is called that is an image of a kind that is not read; undefined where it is none that is known. */
export function nameOfForeignImage(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  const known = beginnings.find(([at, begin]) => head.startsWith(begin, at));
  if (known !== undefined) return known[2];
  if (/^P[1-7Ff]\s/.test(head)) return 'a PNM image';
  // Nothing more of it is looked at: it may refer to any file.
  return /^(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|!DOCTYPE|svg)/i.test(head) ? 'an SVG' : undefined;
}
