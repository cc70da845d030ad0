/** What the server-rendered pages do beyond links and forms: live progress of drafts, and uploads. */
import { followTopics } from "./pages/live";
import { attachUploads } from "./pages/upload";

followTopics();
attachUploads();
