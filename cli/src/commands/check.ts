import { Command } from 'commander'
export const checkCommand = (_x: unknown): Command => new Command('check')
