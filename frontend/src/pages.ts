/** What the server-rendered pages do beyond links and forms: live progress of drafts, keys, uploads and the guideline. */
import { attachCopies } from "./pages/copy";
import { attachGuideline } from "./pages/guideline";
import { attachKeys } from "./pages/keys";
import { followTopics } from "./pages/live";
import { attachMenus } from "./pages/menus";
import { attachUploads } from "./pages/upload/zone";

followTopics();
attachKeys();
attachMenus();
attachUploads();
attachGuideline();
attachCopies();
