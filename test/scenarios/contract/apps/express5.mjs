import express from 'express';
import { startExpress } from './express-app.mjs';

export const start = (watched, scheme) => startExpress(express, watched, true, scheme);
