/** The built dashboard on the mock API, without any other program: `npm run mock`. */
import { mergeConfig } from "vite";

import base from "../../vite.config.ts";
import { mockApi } from "./plugin.ts";

export default mergeConfig(base, { plugins: [mockApi()], preview: { port: 4173 } });
