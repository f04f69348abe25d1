module.exports = async () => await import('./feature.mjs?by-require');
