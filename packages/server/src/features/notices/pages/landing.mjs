import './page.mjs';
