import { expect, test } from 'vitest';
import { Episode } from './episode.ts';

const verdict = (evidence: 'slow' | 'chain-stalled' | 'no-progress' | 'proven-cycle') => ({ evidence, summary: '' });

test('the same place again is no news; another place is', () => {
  const episode = new Episode(verdict('no-progress'), 'a', 1_000);
  expect(episode.isNews(verdict('no-progress'), 'a')).toBe(false);
  expect(episode.isNews(verdict('no-progress'), 'b')).toBe(true);
  episode.reported(verdict('no-progress'), 'b', 2_000);
  expect(episode.isNews(verdict('no-progress'), 'a')).toBe(false);
  expect(episode.isNews(verdict('no-progress'), 'b')).toBe(false);
});

test.each([
  ['slow', 'no-progress', true],
  ['slow', 'chain-stalled', true],
  ['chain-stalled', 'no-progress', false],
  ['no-progress', 'chain-stalled', false],
  ['no-progress', 'proven-cycle', true],
  ['proven-cycle', 'proven-cycle', false],
] as const)('%s, and then %s at the same place: news %s', (first, then, news) => {
  expect(new Episode(verdict(first), 'a', 0).isNews(verdict(then), 'a')).toBe(news);
});

test('a proof is not news a second time when a weaker verdict came in between', () => {
  const episode = new Episode(verdict('proven-cycle'), 'a', 0);
  episode.reported(verdict('no-progress'), 'b', 1);
  expect(episode.isNews(verdict('proven-cycle'), 'b')).toBe(false);
});

test('eight reports of one request are enough', () => {
  const episode = new Episode(verdict('no-progress'), '1', 0);
  for (let i = 2; i <= 8; i++) {
    expect(episode.exhausted).toBe(false);
    episode.reported(verdict('no-progress'), String(i), i);
  }
  expect(episode.exhausted).toBe(true);
});
