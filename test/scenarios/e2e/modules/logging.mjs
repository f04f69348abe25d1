import { instrument } from '@hangwatch/locks';
import { Mutex } from 'async-mutex';

export const logging = instrument(new Mutex(), { name: 'logging' });

export async function log() {
  const release = await logging.acquire();
  release();
}
