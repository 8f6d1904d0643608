/**
 * Packs a folder into a zip without compressing (pictures are compressed already): one upload, one import, and the
 * folders of the pictures become their labels by the same rules as in any other zip. Format: PKWARE APPNOTE 6.3, without
 * its 64-bit extension, hence the two limits.
 */

export const MOST_FILES = 65_535;
export const MOST_BYTES = 2 ** 32 - 2 ** 24;

const TABLE = Uint32Array.from({ length: 256 }, (_, start) => {
  let value = start;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

async function crc32(file) {
  let value = 0xffffffff;
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value: chunk } = await reader.read();
    if (done) return (value ^ 0xffffffff) >>> 0;
    for (const byte of chunk) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  }
}

/** Little-endian fields: [bytes, value] pairs. */
function fields(...pairs) {
  const view = new DataView(new ArrayBuffer(pairs.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of pairs) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return view.buffer;
}

const UTF8_NAMES = 0x0800;
const common = (entry) => [
  [2, 20], [2, UTF8_NAMES], [2, 0], [2, 0], [2, 0x21], // version, flags, stored, 0:00 on 1 January 1980
  [4, entry.crc], [4, entry.file.size], [4, entry.file.size], [2, entry.name.length], [2, 0],
];

/**
 * entries: [{path, file}]; progress(done, total) after each. Returns a File that only points at the files. Its time is
 * made of their checksums: the same folder packed again is known again, and a stopped upload of it goes on.
 */
export async function pack(entries, name, progress) {
  const encoder = new TextEncoder();
  const parts = [];
  const directory = [];
  let offset = 0;
  let mark = 0;
  for (const [index, { path, file }] of entries.entries()) {
    const entry = { file, name: encoder.encode(path), crc: await crc32(file) };
    const header = fields([4, 0x04034b50], ...common(entry));
    parts.push(header, entry.name, file);
    const more = [[2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]; // comment, disk, attributes, where it lies
    directory.push(fields([4, 0x02014b50], [2, 20], ...common(entry), ...more), entry.name);
    offset += header.byteLength + entry.name.length + file.size;
    mark = (mark * 31 + entry.crc) % 2 ** 40;
    progress(index + 1, entries.length);
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const count = entries.length;
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]);
  return new File([...parts, ...directory, end], name, { type: "application/zip", lastModified: mark });
}
