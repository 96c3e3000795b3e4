/** `npm run build`: what the server serves, and what lets it start sooner. Each part does nothing when it is there. */
import './build-console.mjs';
import './build-libraries.mjs';
