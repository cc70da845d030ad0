import { defineConfig } from "vite";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "/bench/",
  resolve: { alias: { xmlbuilder2: here("./src/xmlbuilder2.ts") } },
  worker: { format: "es" },
  build: { target: "es2022", outDir: here("../../build/bench"), emptyOutDir: true, assetsInlineLimit: 0, chunkSizeWarningLimit: 6000 },
});
