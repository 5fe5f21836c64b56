import { defineConfig } from "vite";

// Nothing is inlined as a data: address: the gateway's Content-Security-Policy forbids it.
export default defineConfig({
    root: ".",
    esbuild: { jsx: "automatic", jsxImportSource: "preact" },
    build: {
        outDir: "../build/web",
        emptyOutDir: true,
        target: "es2022",
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: true,
        chunkSizeWarningLimit: 400,
    },
    // `npx vite` beside a running stack, for work on the pages.
    server: {
        proxy: Object.fromEntries(
            ["/api", "/v1", "/health", "/metrics", "/openapi.json"].map((path) => [
                path,
                process.env.CAIRN_URL ?? "http://127.0.0.1:8080",
            ]),
        ),
    },
});
