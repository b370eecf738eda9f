import { startTracing } from './tracing.ts';

const settings = new URLSearchParams(location.search);
const api = settings.get('api') ?? 'http://127.0.0.1:3000';
startTracing(api, settings.get('collector') ?? 'http://127.0.0.1:4318');

const list = document.querySelector('ul');
const note = document.querySelector('p');

document.querySelector('button')?.addEventListener('click', async () => {
  const response = await fetch(`${api}/api/activities/home`);
  const activities: { handle: string; message: string }[] = await response.json();
  list?.replaceChildren(
    ...activities.map(({ handle, message }) => {
      const item = document.createElement('li');
      item.textContent = `@${handle}: ${message}`;
      return item;
    }),
  );
  if (note) note.textContent = `Trace: ${response.headers.get('x-amzn-trace-id')}`;
});
