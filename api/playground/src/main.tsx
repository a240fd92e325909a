/** Where the page begins. */
import { render } from 'preact';
import { App } from './app.tsx';
import { start } from './state/session.ts';
import './styles/base.css';
import './styles/ask.css';
import './styles/matrix.css';
import './styles/story.css';
import './styles/ledger.css';
import './styles/guide.css';

const page = document.getElementById('page');
if (page) render(<App />, page);
void start();
