import './feature.mjs?needs-both';
import './slow.mjs?needed';
