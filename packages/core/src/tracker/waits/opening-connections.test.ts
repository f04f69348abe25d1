import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OpeningConnections } from './opening-connections.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

test('as many as were begun and have not ended', () => {
  const opening = new OpeningConnections();
  opening.begin('http://a', 'a:80');
  opening.begin('http://a', 'a:80');
  opening.end('http://b');
  opening.end('http://a');
  expect(opening.to('http://a')).toBe('a:80');
  opening.end('http://a');
  expect(opening.to('http://a')).toBeUndefined();
});

test('one whose end nobody tells of is over when no attempt lasts any longer', () => {
  const opening = new OpeningConnections();
  opening.begin('http://a', 'a:80');
  vi.advanceTimersByTime(100_000);
  opening.begin('http://a', 'a:80');
  vi.advanceTimersByTime(100_000);
  expect(opening.to('http://a')).toBe('a:80');
  // The first is forgotten: this is the end of the second.
  opening.end('http://a');
  expect(opening.to('http://a')).toBeUndefined();
  opening.begin('http://b', 'b:80');
  vi.advanceTimersByTime(200_000);
  expect(opening.to('http://b')).toBeUndefined();
});

test('neither origins nor attempts at one add up', () => {
  const opening = new OpeningConnections();
  for (let i = 0; i < 1_000; i++) opening.begin('http://a', 'a:80');
  for (let i = 0; i < 100; i++) opening.end('http://a');
  expect(opening.to('http://a')).toBeUndefined();
  for (let i = 0; i < 1_001; i++) opening.begin(`http://h${i}`, `h${i}:80`);
  expect(opening.to('http://h0')).toBeUndefined();
  expect(opening.to('http://h1')).toBe('h1:80');
  expect(opening.to('http://h1000')).toBe('h1000:80');
});
