/** What the server-rendered pages do beyond links and forms: live progress of drafts, keys, uploads, the guideline, and strokes left behind. */
import { attachGuideline } from "./pages/guideline";
import { attachKeys } from "./pages/keys";
import { tellLeftovers } from "./pages/leftovers";
import { followTopics } from "./pages/live";
import { attachUploads } from "./pages/upload";

followTopics();
attachKeys();
attachUploads();
attachGuideline();
void tellLeftovers().catch(() => undefined);
