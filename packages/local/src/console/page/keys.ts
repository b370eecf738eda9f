import {
  choose,
  chosenId,
  failed,
  selectedId,
  showGroups,
  showHelp,
  showPath,
  step,
  tab,
  togglePause,
  toggleView,
} from './state.ts';

interface Shortcut {
  key: string;
  does: string;
  act(): void;
}

export const shortcuts: readonly Shortcut[] = [
  { key: 'j', does: 'next request (older)', act: () => move(1) },
  { key: 'k', does: 'previous request (newer)', act: () => move(-1) },
  { key: 'e', does: 'next failed request', act: () => step(1, failed) },
  { key: 'E', does: 'previous failed request', act: () => step(-1, failed) },
  { key: 'w', does: 'waterfall: then arrows, Home, End, Enter', act: () => focus('[role=treegrid] [tabindex="0"]') },
  { key: 'c', does: 'critical path on or off', act: () => (showPath.value = !showPath.value) },
  { key: 'g', does: 'equal calls grouped or not', act: () => (showGroups.value = !showGroups.value) },
  { key: 'l', does: 'logs', act: () => (tab.value = 'logs') },
  { key: 'x', does: 'error', act: () => (tab.value = 'error') },
  { key: 'r', does: 'errors in groups', act: () => toggleView('errors') },
  { key: 's', does: 'send a request', act: () => toggleView('send') },
  { key: 'y', does: 'copy the link to this request', act: () => void copyLink() },
  { key: '/', does: 'search', act: () => focus('#search') },
  { key: '.', does: 'pause or continue', act: togglePause },
  { key: '?', does: 'this help', act: () => (showHelp.value = !showHelp.value) },
  { key: 'Escape', does: 'close the help, leave the search, back to the list', act: leave },
];

/** Handles a key of the page; in a field, only Escape. */
export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isField(event.target) && event.key !== 'Escape') return;
  const shortcut = shortcuts.find(({ key }) => key === event.key);
  if (!shortcut) return;
  event.preventDefault();
  shortcut.act();
}

function isField(target: EventTarget | null): target is HTMLElement {
  return (
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  );
}

function move(by: 1 | -1): void {
  step(by);
  // The list is drawn again first.
  requestAnimationFrame(() => focus('#traces [aria-current]'));
}

function focus(selector: string): void {
  const element = document.querySelector(selector);
  if (element instanceof HTMLElement) element.focus();
}

function leave(): void {
  if (showHelp.value) showHelp.value = false;
  else if (isField(document.activeElement)) document.activeElement.blur();
  else choose('');
}

async function copyLink(): Promise<void> {
  const url = new URL(location.href);
  url.searchParams.set('trace', chosenId.value || selectedId.value);
  await navigator.clipboard?.writeText(url.href);
}
