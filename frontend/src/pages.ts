/** What the server-rendered pages do beyond links and forms: live progress of drafts and figures, keys, uploads, the guideline, and strokes left behind. */
import { attachCopies } from "./pages/copy";
import { fetchNextAhead } from "./pages/ahead";
import { keepFragmentsFresh } from "./pages/fragments";
import { attachGuideline } from "./pages/guideline";
import { attachKeys } from "./pages/keys";
import { tellLeftovers } from "./pages/leftovers";
import { followTopics } from "./pages/live";
import { attachMenus } from "./pages/menus";
import { attachUploads } from "./pages/upload/zone";

followTopics();
keepFragmentsFresh();
attachKeys();
attachMenus();
attachUploads();
attachGuideline();
attachCopies();
void fetchNextAhead().catch(() => undefined);
void tellLeftovers().catch(() => undefined);
