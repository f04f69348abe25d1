import express from 'express';
import { startExpress } from './express-app.mjs';

export const start = (watched) => startExpress(express, watched, true);
