'use client';
// `<BackupCodeSheet>`: the one time that new backup codes are on the screen. React, 18 or 19, is a peer; nothing else is loaded.
export { BackupCodeSheet } from './backup-code-sheet';
export type { BackupCodeSheetPart, BackupCodeSheetProps } from './props';
export type { BackupCodeSheetLabels } from './labels';
export { printStyles } from './print-styles';
