import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { HttpSubject } from './http-subject.ts';

function setUp() {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  return { response, subject: new HttpSubject(request, response) };
}

test.each([
  ['setHeader', false],
  ['writeHead', true],
])('an event stream is one from its headers on, given by %s', (_, atOnce) => {
  const { response, subject } = setUp();
  expect(subject.isOpenEnded()).toBe(false);
  if (atOnce) response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
  else response.setHeader('content-type', 'text/event-stream').flushHeaders();
  expect(subject.isOpenEnded()).toBe(true);
});

test('so is an upgraded connection', () => {
  const { response, subject } = setUp();
  response.statusCode = 101;
  expect(subject.isOpenEnded()).toBe(true);
});

test('any other answer is none, and its headers are read once', () => {
  const { response, subject } = setUp();
  response.setHeader('content-type', 'text/html');
  expect(subject.isOpenEnded()).toBe(false);
  response.flushHeaders();
  const read = vi.spyOn(response, 'getHeader');
  for (let i = 0; i < 3; i++) expect(subject.isOpenEnded()).toBe(false);
  expect(read).toHaveBeenCalledTimes(1);
});
