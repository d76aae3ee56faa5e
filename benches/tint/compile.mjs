// Makes every shader's module and pipeline with Dawn, and so with Tint, which browsers have, and prints what came of it.
//
//     node benches/tint/compile.mjs DAWN LIST
//
// DAWN is the npm package `webgpu`; LIST is the list.tsv of tests/shaders/written.rs, with the files beside it. The first line
// of the output is the device; then comes one for each shader: seconds, variant, and what is wrong where something is; separated by
// tabs. A shader that needs what the device has not gets no line. Exit status 1: something is wrong; 3: Dawn finds no device.

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

// What shaders may need, and what Dawn calls it.
const FEATURES = { f16: "shader-f16", subgroups: "subgroups" };
// What naga accepts, and Tint does not without `enable subgroups;`: that objections are noticed.
const FAULT = "@compute @workgroup_size(32) fn main(@builtin(subgroup_size) lanes: u32) { _ = lanes; }";

async function open(gpu) {
  const adapter = await gpu.requestAdapter();
  if (!adapter) return undefined;
  console.log(`device\t${adapter.info.description || adapter.info.device}`);
  return adapter.requestDevice({ requiredFeatures: Object.values(FEATURES).filter((feature) => adapter.features.has(feature)) });
}

// What Dawn says against the shader, or nothing.
async function objection(device, code, entryPoint) {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  const error = messages.find((message) => message.type === "error");
  let words = error && `line ${error.lineNum}: ${error.message}`;
  if (!words) {
    const pipeline = device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint } });
    words = await pipeline.then(() => undefined, (reason) => reason.message);
  }
  const scoped = await device.popErrorScope();
  return words ?? scoped?.message;
}

async function main([dawn, list]) {
  if (!list) throw new Error("expected the package `webgpu` and the list");
  const { create, globals } = await import(resolve(dawn, "index.js"));
  Object.assign(globalThis, globals);
  const gpu = create([]); // as long as the device is in use
  const device = await open(gpu);
  if (!device) return 3;
  const noticesFaults = async () => {
    if (!(await objection(device, FAULT, "main"))) throw new Error("Dawn has no objection to a fault on purpose");
  };
  await noticesFaults();
  let areAllGood = true;
  for (const line of readFileSync(list, "utf8").trimEnd().split("\n")) {
    const [file, target, entry, needs, variant] = line.split("\t");
    const lacks = needs.split(" ").some((need) => need && !device.features.has(FEATURES[need]));
    if (target !== "webgpu" || lacks) continue;
    const start = process.hrtime.bigint();
    const words = await objection(device, readFileSync(join(dirname(list), file), "utf8"), entry);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    console.log([seconds.toFixed(2), variant, ...(words ? [words.replace(/\s+/g, " ")] : [])].join("\t"));
    areAllGood &&= !words;
  }
  // A device that was lost meanwhile has no objections.
  await noticesFaults();
  return areAllGood ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status), // Dawn would keep the process alive
  (error) => {
    console.error(`compile: ${error.message}`);
    process.exit(2);
  },
);
