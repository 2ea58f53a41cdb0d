// Filter, sort and expand: everything can be read without it.
(() => {
  'use strict';
  for (const tools of document.querySelectorAll('.tools')) tools.hidden = false;

  for (const input of document.querySelectorAll('[data-filter]')) {
    const rows = [...document.getElementById(input.dataset.filter).querySelectorAll('[data-row]')];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const count = document.querySelector(`[data-count="${input.dataset.filter}"]`);
    input.addEventListener('input', () => {
      const words = input.value.toLowerCase();
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !texts[i].includes(words);
        shown += row.hidden ? 0 : 1;
      });
      if (count) count.textContent = words ? `${shown} of ${rows.length}` : '';
    });
  }

  for (const button of document.querySelectorAll('[data-expand]')) {
    const all = document.getElementById(button.dataset.expand).querySelectorAll('details');
    button.addEventListener('click', () => {
      const open = button.textContent === 'Expand all';
      for (const details of all) details.open = open;
      button.textContent = open ? 'Collapse all' : 'Expand all';
    });
  }

  const valueOf = (cell) => cell.dataset.value === undefined ? cell.textContent : cell.dataset.value === '' ? -1 : Number(cell.dataset.value);
  const compare = (a, b) => typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
  for (const table of document.querySelectorAll('[data-sortable]')) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') === 'ascending';
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
        rows.sort((a, b) => (down ? -1 : 1) * compare(a[0], b[0]));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }
})();
