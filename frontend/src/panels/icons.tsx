/** Line icons of the tool rail, 20 px, strokes of 1.5 px. */
const PATHS: Record<string, string> = {
  brush: "M14.5 3.5l2 2L9 13l-3-3zM6 10l3 3c-1 3-3 3.500-6 3.500 1.500-1 1-4.500 3-6.500z",
  eraser: "M11 3.500l5.500 5.500-7 7H6l-3-3zM7 7.500l5.500 5.500M9 16.500h8",
  sphere: "M10 3a7 7 0 100 14 7 7 0 000-14zM3 10c2 2.500 12 2.500 14 0M10 3c-3 3-3 11 0 14",
  threshold: "M3 15l4-9 3 6 3-8 4 11M3 17.500h14",
  lasso: "M10 3.500c4 0 7 2 7 4.500s-3 4.500-7 4.500-7-2-7-4.500 3-4.500 7-4.500zM6 12c-1.500 1-1 3 1 3s1 2-.5 2.500",
  rectangle: "M3.500 5h13v10h-13zM3.500 5l0 0",
  circle: "M10 4a6 6 0 100 12 6 6 0 000-12zM10 9.500v1M9.500 10h1",
  fill: "M9 3l6 6-6 6-6-6zM9 3v6M16.500 12c1 1.500 1.500 2.300 1.500 3a1.500 1.500 0 01-3 0c0-.7.5-1.500 1.500-3z",
  grow: "M10 8a2 2 0 100 4 2 2 0 000-4zM10 2v3M10 15v3M2 10h3M15 10h3M8.500 3.500L10 2l1.500 1.500M8.500 16.500L10 18l1.500-1.500M3.500 8.500L2 10l1.500 1.500M16.500 8.500L18 10l-1.500 1.500",
  relabel: "M3 4h6l7 7-5.500 5.500-7.500-7zM6 7v.1",
  keep: "M6 4.500a4 4 0 100 8 4 4 0 000-8zM4.500 8.500L6 10l2.500-3M14 12.500l3 3M17 12.500l-3 3",
  interpolate: "M4 3.500h12M4 16.500h12M6.500 7.500h7M6.500 12.500h7M10 9v2",
  smooth: "M3 13c3 0 3-6 6-6s3 6 8 6M3 16.500h14",
  islands: "M7 5a4 4 0 100 8 4 4 0 000-8zM14.500 4.500h2M14.500 9.500h2M14.500 14.500h2",
  copy: "M4 9h9v8H4zM7 9V4h9v9h-3",
  replace: "M3 3.500h5v5H3zM12 11.500h5v5h-5zM11 5h4v4M15 5l-5 5M9 15H5v-4",
  threshold_lung: "M9 3v6M9 9c-1-3-3-4-4.500-1S3 15 4 16s4 0 5-2V9M11 3v6c1-3 3-4 4.500-1S17 15 16 16s-4 0-5-2V9",
  length: "M3 13.500L13.500 3l3.500 3.500L6.500 17zM6 11l1.500 1.500M8.500 8.500L10 10M11 6l1.500 1.500",
  surface: "M10 2.500l6.500 3.500v8L10 17.500 3.500 14V6zM3.500 6L10 9.500 16.500 6M10 9.500v8",
  compare: "M3 4h6v12H3zM11 4h6v12h-6z",
  undo: "M8 4L4 8l4 4M4 8h8a4 4 0 010 8H9",
  redo: "M12 4l4 4-4 4M16 8H8a4 4 0 000 8h3",
  pan: "M10 2.500v15M2.500 10h15M10 2.500L8 5M10 2.500L12 5M10 17.500L8 15M10 17.500l2-2.500M2.500 10L5 8M2.500 10L5 12M17.500 10L15 8M17.500 10L15 12",
  zoom: "M8.500 3a5.500 5.500 0 100 11 5.500 5.500 0 000-11zM12.500 12.500L17 17M6 8.500h5M8.500 6v5",
  window: "M10 3a7 7 0 100 14 7 7 0 000-14zM10 3v14M10 6h6M10 9h7M10 12h7M10 15h5",
  reset: "M3 7V3h4M17 7V3h-4M3 13v4h4M17 13v4h-4",
  outline: "M4 7l6-4 6 4v6l-6 4-6-4z",
  layout: "M3 3h14v14H3zM11 3v14M11 10h6",
};

export function Icon({ name }: { name: string }) {
  return (
    <svg viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
