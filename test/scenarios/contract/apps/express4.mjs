import express from 'express4';
import { startExpress } from './express-app.mjs';

export const start = (watched, scheme) => startExpress(express, watched, false, scheme);
