import { describe, expect, test } from 'vitest';
import { Driver, drawings, smallRun, stateOf } from '../cli/tui/driver.js';

/** Every tab as a user sees it. Figures change with the model of the world and are masked; where they stand does not. */
describe('screens of the terminal UI', () => {
  test.each([
    [80, 24],
    [120, 40],
    [200, 60],
  ])('%i x %i', async (columns, rows) => {
    const driver = new Driver(stateOf(smallRun, columns, rows)).press('p', ':').type('recompute full').press('enter');
    const screens: string[] = [];
    for (const tab of '12345678') screens.push(masked((await driver.press(tab).done()).screen(drawings.plain)));
    const prompts = [['?'], ['e'], [':', 's', 'e'], ['esc', 'enter']].map((keys) => {
      const screen = masked(driver.press(...keys).screen(drawings.plain));
      driver.press('esc');
      return screen;
    });
    const text = `${[...screens, ...prompts].join('\n\n')}\n`;
    await expect(text).toMatchFileSnapshot(`./tui-${columns}x${rows}.txt`);
  });
});

function masked(screen: string): string {
  return screen
    .replaceAll(/(?<=[│ ] ?[ ▸]?\d+ )[FBWsgro&·\d -]{12,}$/gm, '~')
    .replaceAll(/\d+([.,]\d+)*/g, '0')
    .replaceAll(/[█▏▎▍▌▋▊▉▁▂▃▄▅▆▇░]+|(?<=[ ▸])[WGOABVCRTXESDH-]{4,}░*/g, '=')
    .replaceAll(/ {2,}/g, '  ')
    .replaceAll(/ +$/gm, '');
}
