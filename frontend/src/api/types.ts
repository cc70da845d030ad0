import type { FormAnswers, FormTotal, ScoringForm } from "../reading/scoringrules";

/** What the server says about a reading. */
export interface Warning {
  code: string;
  sentence: string;
  /** A word or two for where there is little room. */
  short?: string;
  /** Why it matters, where the sentence does not say so. */
  why?: string;
  biases_weight?: boolean;
}

export interface SlabInfo {
  url: string;
  z_start: number;
  z_count: number;
  bytes: number;
}

export interface FindingLabel {
  value: number;
  name: string;
  colour: string;
  code?: { scheme: string; value: string; meaning: string } | null;
  counts_as_lung: boolean;
  is_exclusion: boolean;
}

export interface AnatomyLabel {
  value: number;
  name: string;
  colour: string;
}

export interface Lease {
  epoch: number;
  mine: boolean;
  holder_name: string;
  /** Of this person's own tabs only. */
  tab: string | null;
  since: string;
}

export interface Reading {
  id: string;
  state: string;
  stage: string;
  may_edit: boolean;
  edit_refusal: string | null;
  may_sign: boolean;
  sign_refusal: string | null;
  statement: string;
  reader: { id: number | string; name: string };
  you?: { id: string; name: string; username: string };
  case: {
    id: number | string;
    number: number;
    case_count: number;
    url: string;
    pseudonym: string;
    campaign: { slug: string; name: string };
  };
  scan: {
    id: number | string;
    shape_zyx: [number, number, number];
    affine_lps: number[][];
    spacing_zyx_mm: [number, number, number];
    /** null where nothing is known of the size of a voxel. */
    voxel_volume_ml: number | null;
    has_hu: boolean;
    warnings: Warning[];
    slabs: SlabInfo[];
  };
  label_set: { name: string; version: number | string; labels: FindingLabel[] };
  anatomy_labels: AnatomyLabel[];
  /** `edited_slices`: axial slices on which the mask is not what the reading began with. */
  mask: { id: string; stroke_sequence: number; head_hash: string; edited_slices?: number[] };
  /** Strokes beside the mask that wait for a decision. */
  kept_beside?: number;
  lineage: { who: string; what: string; when: string }[];
  lease: Lease | null;
  signature: { name: string; at: string; version_hash: string } | null;
  /** States that this person may lay beside the mask. */
  comparable?: { state: string; label: string }[];
  /** Axial slices seen on the screen, and those that hold lung. */
  ledger?: {
    seen: number[];
    lung: number[];
    verdicts?: Record<string, "present" | "absent" | "indeterminate">;
    attests?: Record<string, string>;
    active_ms?: number;
  };
  protocol?: { version: number; dwell_ms: number; attests: Record<string, Level>; pilot: boolean };
  ending?: Ending;
  flags?: FlagsAnswer;
  forms?: FormsAnswer;
  settles?: Settles | null;
  guideline?: { version: number | string; url: string } | null;
  preferences?: Record<string, unknown>;
  /** Where this person goes on: `url` opens it; with `start_url`, a reading is begun there first (POST of a form). */
  next?: { case_number: number; url: string; slabs?: SlabInfo[]; reading?: string | null; start_url?: string | null } | null;
  /** The whole scan at low resolution, as one slab on a grid of its own. */
  preview?: { url: string; shape_zyx: [number, number, number]; affine_lps: number[][]; bytes: number } | null;
  /** Scans of the same patient that this person may see, in order of time. */
  timeline?: TimelineEntry[];
}

/** What becomes of what is missing at a signature. */
export type Level = "off" | "warn" | "block";

/** How a reading ends; a refusal is why not, in a sentence. */
export interface Ending {
  ends_with: "sign" | "submit";
  may_submit: boolean;
  submit_refusal: string | null;
  may_return: boolean;
  returns_to: string | null;
  may_amend: boolean;
  /** Why a submission came back. */
  returned: { by: string; reason: string; at: string } | null;
  amends: { reason: string } | null;
  repeat: number;
}

/** The readings that an adjudicator settles, by letters, without names. */
export interface Settles {
  candidates: { letter: string; state: string; answers?: Record<string, FormAnswers>; extent_percent?: number | null; lesion_volume_ml?: number | null }[];
  /** What was said in them, as far as it is not told by name among the comments of the case. */
  comments?: NamelessThread[];
  pairs: { first: string; second: string; dice: number | null; extent_difference: number | null; contradicting_slices: number[] }[];
  reasons: string[];
  consensus: { rule: string; state: string }[];
}

export interface NamelessThread {
  id: string;
  letter: string;
  voxel: [number, number, number] | null;
  resolved: boolean;
  /** `by` is a letter, or the role of somebody else. */
  comments: { by: string; text: string }[];
}

export interface Attesting {
  lung: number[];
  unseen: number[];
  undecided: number[];
  contradictions: number[];
  missing: { code: string; level: "warn" | "block"; sentence: string; slices: number[] }[];
}

export interface LedgerRows {
  seen?: readonly SeenRow[];
  verdicts?: readonly { z_first: number; z_last: number; verdict: string; how: string }[];
  attests?: Record<string, boolean>;
  active_ms?: number;
}

export interface TimelineEntry {
  case: string;
  case_number: number;
  scan: string;
  /** Shifted date, or null. */
  when: string | null;
  /** "other": of the same day, or without a date. */
  label: "prior" | "this" | "follow-up" | "other";
  extent_percent: number | null;
  weight_g: number | null;
  /** What biases the weight of this scan. */
  biased_by?: string[];
  reading: string | null;
}

/** A scan of the same patient, to lay beside. */
export interface ScanBeside {
  scan: Reading["scan"];
  mask_url: string | null;
}

/** A slice was on the screen: since when, and for how long in this visit. */
export interface SeenRow {
  z: number;
  at: string;
  dwell_ms: number;
}

export interface StoredStroke {
  stroke_sequence: number;
  id: string;
  /** False for a stroke that was kept as a branch. */
  applied: boolean;
  layer: "anatomy" | "findings";
  tool: string;
  plane: string;
  undoes: string | null;
  reader: unknown;
  client_time?: string;
  server_time: string;
  payload: string;
}

export type LeaseAnswer =
  | { held: false; epoch: number; expires_in_s: number }
  | { held: true; sentence: string; holder_name: string; since: string };

/** One mask of the lineage that a reading's mask came from. */
export interface HistoryChapter {
  mask: string;
  who: string;
  kind: "person" | "algorithm" | "import" | "consensus";
  stage: string;
  base_version: string | null;
  end_version: string | null;
  strokes: number;
  own: boolean;
}

export interface HistoryVersion {
  id: string;
  number: number;
  reason: string;
  who: string;
  cut_at: string;
  sha256: string;
  stroke_sequence: number;
  mask: string;
  own: boolean;
}

export interface HistoryStroke {
  stroke_sequence: number;
  layer: "anatomy" | "findings";
  tool: string;
  plane: string;
  who: string;
  server_time: string;
  voxel_count: number;
  undoes_sequence: number | null;
  mask: string;
}

export interface MaskHistory {
  chapters: HistoryChapter[];
  versions: HistoryVersion[];
  strokes: HistoryStroke[];
}

export interface LayerDifference {
  dice: number | null;
  both_ml: number;
  only_a_ml: number;
  only_b_ml: number;
  /** z, voxels of both, only a, only b. */
  slices: [number, number, number, number][];
  by_label: { value: number; a_ml: number; b_ml: number; dice: number }[];
}

export interface Difference {
  a: string;
  b: string;
  layers: Record<"anatomy" | "findings", LayerDifference>;
  extent_percent: { a: number | null; b: number | null };
}

export interface VoxelEvent {
  who: string;
  kind: string;
  stage: string;
  what: string;
  when: string;
  from: number;
  to: number;
  stroke_sequence: number | null;
}

export interface Provenance {
  voxel: [number, number, number];
  label: number;
  events: VoxelEvent[];
}

export interface BranchStroke extends StoredStroke {
  reason: string;
}

export interface Branch {
  tab: string;
  epoch: number;
  who: string;
  from: string;
  to: string;
  voxel_count: number;
  strokes: BranchStroke[];
  settled: { decision: "merged" | "set_aside"; who: string; at: string } | null;
}

export interface MaskPlace {
  stroke_sequence: number;
  head_hash: string;
}

/** A comment as it stands: `text` null once withdrawn; `earlier` its texts before an edit, oldest first. */
export interface CaseComment {
  id: string;
  author: string;
  mine: boolean;
  said_at: string;
  text: string | null;
  withdrawn: boolean;
  edited_at: string | null;
  earlier: string[];
}

/** A thread of a reading of this case that this person may see. */
export interface CommentThread {
  id: string;
  reading: string;
  whose: { reader: string; stage: string; mine: boolean };
  /** (x, y, z); null: about the whole case. */
  voxel: [number, number, number] | null;
  label: number | null;
  resolved: boolean;
  resolved_by: string | null;
  resolved_at: string | null;
  comments: CaseComment[];
}

export interface CommentsAnswer {
  threads: CommentThread[];
  may_comment: boolean;
  comment_refusal: string | null;
  people: { name: string; username: string }[];
  /** Readings of the case whose threads are here. */
  readings: string[];
}

/** What may be said of the whole case, and what this reading says; `decided` of what proposes an exclusion. */
export interface FlagsAnswer {
  offered: { name: string; proposes_exclusion: boolean }[];
  set: { name: string; remark: string; at: string; decided: { excluded: boolean; reason: string; by: string } | null }[];
}

/** The scoring forms of the reading's protocol, what is answered by form and item, and when that was last saved. */
export interface FormsAnswer {
  forms: ScoringForm[];
  answers: Record<string, FormAnswers>;
  totals: Record<string, FormTotal>;
  saved_at: string | null;
}
