/** What the server-rendered pages do beyond links and forms: live progress of drafts, keys, uploads and the guideline. */
import { attachGuideline } from "./pages/guideline";
import { attachKeys } from "./pages/keys";
import { followTopics } from "./pages/live";
import { attachUploads } from "./pages/upload/zone";

followTopics();
attachKeys();
attachUploads();
attachGuideline();
