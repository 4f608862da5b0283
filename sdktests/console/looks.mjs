// What can be measured of how a page looks: nothing runs over the edge, every text can be read, and options of calls stay whole.

const smallest = 4.5; // contrast of text with what is behind it, as WCAG 2 asks for
const smallestLarge = 3; // of large or bold text

export async function looksRight(page, name) {
  await page.waitForLoadState(); // a style sheet that is still on its way makes another page
  const problems = await page.evaluate(([smallest, smallestLarge]) => {
    const found = [];
    const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (over > 0) found.push(`${over} pixels too wide`);

    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => { // whatever the notation
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over_ = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
    const behind = (element) => {
      const layers = [];
      for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
      return layers.reverse().reduce((under, top) => over_(top, under), [255, 255, 255, 1]);
    };
    const light = (colour) => {
      const [r, g, b] = colour.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const texts = document.createTreeWalker(document.querySelector('dialog[open]') ?? document.body, NodeFilter.SHOW_TEXT);
    const seen = new Set();
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const element = node.parentElement;
      if (!node.textContent.trim() || seen.has(element) || !element.checkVisibility({ visibilityProperty: true }) || element.closest('.visually-hidden, .skip, .u-legend, :disabled, option, script')) continue;
      seen.add(element);
      const box = element.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      const style = getComputedStyle(element);
      const back = behind(element);
      const [a, b] = [light(over_(rgba(style.color), back)), light(back)];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && parseInt(style.fontWeight, 10) >= 700);
      if (contrast < (large ? smallestLarge : smallest)) found.push(`"${node.textContent.trim().slice(0, 40)}" has a contrast of ${contrast.toFixed(2)}`);
      if (box.right > document.documentElement.clientWidth + 1 && !element.closest('.scroll, pre, .tabs, .subnav, .line')) found.push(`"${node.textContent.trim().slice(0, 40)}" runs over the edge`);
    }
    for (const field of document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')) {
      if (!field.labels?.length && !field.getAttribute('aria-label')) found.push(`the field ${field.name} has no label`);
    }
    for (const code of document.querySelectorAll('.snippet:not([hidden]) code')) {
      const words = [...code.querySelectorAll('span')];
      if (/-/.test(code.textContent) && words.length === 0) found.push('lines of the snippet break at dashes');
      for (const word of words) {
        const line = parseFloat(getComputedStyle(word).lineHeight);
        if (word.textContent.length < 30 && word.offsetHeight > 1.5 * line) found.push(`"${word.textContent}" of a snippet stands in two lines`);
      }
    }
    return found;
  }, [smallest, smallestLarge]);
  if (problems.length > 0) throw new Error(`${name}: ${problems.slice(0, 8).join('; ')}`);
}
