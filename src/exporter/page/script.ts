/**
 * The script of all pages, inline and allowed by its hash. Everything works without it. It refreshes sections in place
 * (scroll position, focus and folds stay), follows sort, page and filter links without reloading, and copies commands.
 */
export const script = `
(() => {
  const every = 15000;
  let paused = false, failing = false, busy = false;
  const $ = (id) => document.getElementById(id);
  const state = document.createElement('span');
  const pause = document.createElement('button');
  pause.type = 'button';
  const showState = () => {
    pause.textContent = paused ? 'Resume' : 'Pause';
    state.textContent = paused ? 'Refresh is paused. ' : 'Refreshes every 15 s. ';
  };
  // Arrow keys move within the map of ports, so it needs only one tab stop.
  const enhance = (root) => {
    for (const box of root.querySelectorAll('.try')) {
      if (box.querySelector('button')) continue;
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = 'Copy';
      box.append(button);
    }
    root.querySelectorAll('.row a').forEach((cell, i) => { cell.tabIndex = i === 0 ? 0 : -1; });
  };
  const beside = (cell, key) => {
    const all = [...cell.closest('.cells').querySelectorAll('.row a')];
    const at = all.indexOf(cell);
    if (key === 'ArrowRight' || key === 'ArrowLeft') return all[at + (key === 'ArrowRight' ? 1 : -1)];
    if (key === 'Home' || key === 'End') return all.at(key === 'Home' ? 0 : -1);
    const from = cell.getBoundingClientRect();
    const down = key === 'ArrowDown';
    const lines = (down ? all.slice(at) : all.slice(0, at).reverse()).map((to) => ({ to, box: to.getBoundingClientRect() }));
    const next = lines.find(({ box }) => (down ? box.top > from.top : box.top < from.top));
    const far = ({ box }) => Math.abs(box.left - from.left);
    return next && lines.filter(({ box }) => box.top === next.box.top).reduce((a, b) => (far(b) < far(a) ? b : a)).to;
  };
  const swap = (next) => {
    const fresh = new DOMParser().parseFromString(next, 'text/html');
    const focused = document.activeElement && document.activeElement.id;
    for (const section of document.querySelectorAll('[data-live]')) {
      const other = fresh.getElementById(section.id);
      if (!other) continue;
      enhance(other);
      if (other.innerHTML === section.innerHTML && other.className === section.className) continue;
      if (section.contains(document.activeElement) && document.activeElement.tagName === 'INPUT') continue;
      for (const fold of section.querySelectorAll('details[id]')) {
        const same = other.querySelector('#' + CSS.escape(fold.id));
        if (same) same.open = fold.open;
      }
      const scrolled = [...section.querySelectorAll('[data-scroll]')].map((e) => [e.scrollLeft, e.scrollTop]);
      const link = section.contains(document.activeElement) && document.activeElement.getAttribute('href');
      section.className = other.className;
      section.replaceChildren(...other.childNodes);
      [...section.querySelectorAll('[data-scroll]')].forEach((e, i) => { [e.scrollLeft, e.scrollTop] = scrolled[i] || [0, 0]; });
      const same = link && section.querySelector('a[href="' + CSS.escape(link) + '"]');
      if (same) same.focus({ preventScroll: true });
    }
    document.title = fresh.title;
    if (focused && $(focused) && document.activeElement !== $(focused)) $(focused).focus({ preventScroll: true });
  };
  const load = async (url) => {
    if (busy) return;
    busy = true;
    try {
      const answer = await fetch(url, { headers: { Accept: 'text/html' } });
      if (!answer.ok) throw new Error(answer.status);
      swap(await answer.text());
      failing = false;
    } catch {
      failing = true;
    }
    busy = false;
    $('lost').hidden = !failing;
  };
  const filter = (form) => {
    const params = new URLSearchParams(location.search);
    params.set('q', form.elements.q.value);
    params.delete('ipage');
    params.delete('ppage');
    return go('?' + params);
  };
  const go = (url) => {
    history.replaceState(null, '', url);
    return load(url);
  };
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('.try button');
    if (button) {
      const command = button.parentElement.querySelector('pre');
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(command);
        button.textContent = 'Selected';
      }
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
      return;
    }
    const link = event.target.closest('a[data-stay]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(link.href);
  });
  document.addEventListener('keydown', (event) => {
    const cell = event.target.closest('.row a');
    if (!cell || event.ctrlKey || event.metaKey || event.altKey || !/^(Arrow|Home$|End$)/.test(event.key)) return;
    const next = beside(cell, event.key);
    event.preventDefault();
    if (!next) return;
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  let typing;
  document.addEventListener('input', (event) => {
    const form = event.target.form;
    if (!form || form.id !== 'filter') return;
    clearTimeout(typing);
    typing = setTimeout(() => filter(form), 200);
  });
  document.addEventListener('submit', (event) => {
    if (event.target.id !== 'filter') return;
    event.preventDefault();
    filter(event.target);
  });
  pause.addEventListener('click', () => { paused = !paused; showState(); });
  setInterval(() => {
    const reading = String(getSelection()) !== '';
    if (!paused && !document.hidden && !reading) load(location.href);
  }, every);
  showState();
  $('refresh').append(state, pause);
  enhance(document);
})();
`;
