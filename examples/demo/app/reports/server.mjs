import hangwatch from '@hangwatch/fastify';
import Fastify from 'fastify';
import { reportRoutes } from './routes.mjs';

const app = Fastify();
await app.register(hangwatch); // collector, time-out and name come from HANGWATCH_* in the environment
await app.register(reportRoutes);
console.log('listening on', await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) }));
