'use client';
// The entry point `passport-backup-code/react`. It loads React, version 18 or 19, and nothing else.
export { BackupCodeSheet } from './backup-code-sheet';
export type { BackupCodeSheetPart, BackupCodeSheetProps } from './props';
export type { BackupCodeSheetLabels } from './labels';
export { printStyles } from './print-styles';
