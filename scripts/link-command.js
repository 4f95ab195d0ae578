import { chmod, mkdir, rm, symlink } from 'node:fs/promises'

// Lets `npx cambist` find the command of this checkout at once; without the link npx would install the package into its cache first.
const link = new URL('../node_modules/.bin/cambist', import.meta.url)
await chmod(new URL('../dist/main.js', import.meta.url), 0o755)
await mkdir(new URL('.', link), { recursive: true })
await rm(link, { force: true })
await symlink('../../dist/main.js', link).catch(error => console.warn(`npx cambist will be slow: ${error.message}`))
