import { defineConfig } from "vitest/config";
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "/static/viewer/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    outDir: "dist",
    assetsInlineLimit: 0,
    manifest: true,
    chunkSizeWarningLimit: 5000,
    rolldownOptions: { input: { viewer: here("./src/main.tsx"), pages: here("./src/pages.ts") } },
  },
  test: { environment: "node", include: ["test/**/*.test.ts"] },
});
