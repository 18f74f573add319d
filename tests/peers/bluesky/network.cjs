// Bluesky's development environment: directory, an account's server, the network's view and a firehose between them.
// Its servers listen on all interfaces: start it in a network namespace only (tests/peers/real.sh).
const { createRequire } = require('node:module')

const [, , modules, pds, view, directory, ozone] = process.argv
const { TestNetwork } = createRequire(`${modules}/`)('@atproto/dev-env')

TestNetwork.create({
  dbPostgresSchema: 'bsky',
  pds: { port: Number(pds), hostname: 'localhost' },
  bsky: { port: Number(view), dbPostgresSchema: 'bsky', publicUrl: `http://localhost:${view}` },
  plc: { port: Number(directory) },
  ozone: { port: Number(ozone) },
}).then(
  () => console.log('the network stands'),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
