import { defineConfig } from 'vitepress'
import { apiSidebar } from '../site/api-navigation.ts'
import { linkToRepository, slugOf } from '../site/links.ts'
import { pages } from '../site/navigation.ts'
import { repository } from '../site/repository.ts'

export default defineConfig({
  title: 'Taskledger',
  description: 'Long tasks on Node.js processes: submit, watch, cancel and await them from any node.',
  cleanUrls: false,
  outDir: './dist',
  // What every page needs to know of all others, once and not in each of them.
  metaChunk: true,
  cacheDir: '../node_modules/.cache/vitepress',
  srcExclude: ['node_modules/**', 'dist/**'],
  rewrites: { 'README.md': 'pages.md', 'decisions/README.md': 'decisions/index.md' },
  markdown: { anchor: { slugify: slugOf }, config: linkToRepository },
  // The index of the search is one chunk, which a browser loads when the search is opened.
  vite: { build: { chunkSizeWarningLimit: 4_000 } },
  themeConfig: {
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'All pages', link: '/pages' },
      { text: 'API', link: '/api/', activeMatch: '/api/' },
    ],
    sidebar: { ...apiSidebar(), '/': pages() },
    outline: [2, 3],
    search: { provider: 'local' },
    ...(repository === undefined ? {} : { socialLinks: [{ icon: 'github', link: repository }] }),
    footer: { message: 'Apache-2.0' },
  },
})
